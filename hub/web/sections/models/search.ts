import { text } from '../../shell/search.ts';
import { pageOf } from '../../table/page-number.ts';

/** What the address of a host says of its models. */
export interface ModelsSearch {
  /** The version that is open. */
  version?: string | undefined;
  /** The page of the list, from 2. */
  page?: number | undefined;
}

/** Reads the address; what means nothing is left out. */
export const readModelsSearch = (search: Record<string, unknown>): ModelsSearch => ({
  version: text(search['version'], 80),
  page: pageOf(search['page']),
});
