import { makeAdapter } from '#kit/stores.ts';
import { logstoreContract } from '../../../ports/logstore.contract.ts';
import { embeddedLogstore } from './index.ts';

logstoreContract('embedded', (folder) => makeAdapter(embeddedLogstore, folder));
