/** The single executable: the agent, and the program that reads the inventory, as which the agent starts itself again. */
import { INVENTORY_COMMAND } from './inventory/command.ts';

if (process.argv[2] === INVENTORY_COMMAND) void import('./inventory/main.ts');
else void import('./main.ts');
