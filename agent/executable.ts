/** The single executable: the agent, and the programs that it starts beside itself, as which it starts itself again. */
import { PROGRAMS } from './programs.ts';

if (process.argv[2] === PROGRAMS.inventory) void import('./inventory/main.ts');
else if (process.argv[2] === PROGRAMS.training)
  void import('../plugins/models/index.ts').then(({ becomeTraining }) => becomeTraining());
else void import('./main.ts');
