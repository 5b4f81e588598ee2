import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './client.ts';

const passes = ({ status }: ApiError): boolean => status === 0 || status === 502 || status === 503 || status === 504;

/** One memory of answers for the page. What cannot be right at a second try is not tried again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || passes(error)),
      retryDelay: (failures) => 300 * 2 ** failures,
    },
  },
});
