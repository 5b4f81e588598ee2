import { makeAdapter } from '#kit/stores.ts';
import { seriesContract } from '../../../ports/series.contract.ts';
import { embeddedSeries } from './index.ts';

seriesContract('embedded', (folder) => makeAdapter(embeddedSeries, folder), { keepsTables: true });
