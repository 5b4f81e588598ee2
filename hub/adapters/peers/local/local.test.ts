import { peersContract } from '../../../ports/peers.contract.ts';
import { createLocalPeers } from './index.ts';

peersContract('local', (apps) => {
  const peers = createLocalPeers();
  for (const [name, app] of Object.entries(apps)) peers.attach(name, app);
  return Promise.resolve({ peers, stop: () => Promise.resolve() });
});
