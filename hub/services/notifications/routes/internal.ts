import { Type } from 'typebox';
import type { ServiceApp } from '../../../http.ts';
import type { Trial } from '../trial.ts';
import { Sentence } from './schemas.ts';

/** What the hub's own commands ask. */
export function internalRoutes(app: ServiceApp, { trialByName }: Trial): void {
  app.post(
    '/internal/notifications/test',
    {
      config: { role: 'service' },
      schema: {
        tags: ['internal'],
        summary: 'Send a test through a channel that is known by its name.',
        body: Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }) }, { additionalProperties: false }),
        response: { 200: Sentence },
      },
    },
    async ({ body }) => ({ detail: await trialByName(body.name) }),
  );
}
