import { principalOf, type ServiceApp } from '../../../http.ts';
import type { NotificationsStore } from '../store.ts';
import { ById, DeliveryQuery, DeliveryReply, listOf } from './schemas.ts';

const ROOT = '/api/v1/notifications/deliveries';
const tags = ['notifications'];

/** What the routes of deliveries stand on. */
export interface DeliveryRoutesGiven {
  store: NotificationsStore;
  wake(): void;
  /** For how long a message is tried, milliseconds. */
  retryMs: number;
}

/** The history of messages, and another try at what failed. */
export function deliveryRoutes(app: ServiceApp, { store, wake, retryMs }: DeliveryRoutesGiven): void {
  app.get(
    ROOT,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Who was told what, when, and what could not be sent and why. Newest first.',
        querystring: DeliveryQuery,
        response: { 200: listOf(DeliveryReply) },
      },
    },
    async (request) => {
      const { limit, offset, ...filter } = request.query;
      const { items, total } = await store.deliveries(principalOf(request).org, filter, { limit, offset });
      return { items, total, limit, offset };
    },
  );
  app.post(
    `${ROOT}/:id/retry`,
    {
      config: { role: 'editor' },
      schema: { tags, summary: 'Try again to send what failed.', params: ById, response: { 202: DeliveryReply } },
    },
    async (request, reply) => {
      const queued = await store.repeat(principalOf(request).org, request.params.id, retryMs);
      wake();
      return reply.code(202).send(queued);
    },
  );
}
