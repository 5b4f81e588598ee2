import { useNavigate, useSearch } from '@tanstack/react-router';
import { readModelsSearch, type ModelsSearch } from './search.ts';

/** Changes some words of the address. */
export type ChangeModels = (change: Partial<ModelsSearch>) => void;

/** What the address says of a host's models. */
export function useModelsSearch(): { search: ModelsSearch; change: ChangeModels } {
  const raw: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const change: ChangeModels = (next) => {
    const search = (old: Record<string, unknown>) => ({ ...old, ...next });
    void navigate({ to: '.', search: search as never });
  };
  return { search: readModelsSearch(raw), change };
}
