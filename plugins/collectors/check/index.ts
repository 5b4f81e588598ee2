import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { defineCollector, type Attributes, type Connect } from '#sdk';
import { createTargets, problems, type Reader } from '../../targets/index.ts';
import { connectCheck } from './connection.ts';
import { faultOf, Outcome } from './outcome.ts';
import { checkTargets, type CheckTarget } from './settings.ts';

function createReader(target: CheckTarget, now: () => number): Reader {
  const attributes: Attributes = { ...target.labels, 'check.name': target.name, 'check.type': target.type };
  return {
    async read(ask) {
      const outcome: unknown = JSON.parse(await ask(target.type));
      if (!Value.Check(Outcome, outcome)) throw problems.notUnderstood();
      const fault = faultOf(outcome, target, now());
      const { status, bytes, certificate, addresses } = outcome;
      return {
        ...(fault === undefined ? {} : { fault }),
        tell(emit) {
          if (status !== undefined) emit('check.http.status_code', status, attributes);
          if (bytes !== undefined) emit('check.http.body_size', bytes, attributes);
          if (addresses !== undefined) emit('check.dns.addresses', addresses, attributes);
          if (certificate === undefined) return;
          emit('check.tls.certificate.remaining', (certificate.endsAt - now()) / 1000, attributes);
          emit('check.tls.certificate.valid', certificate.fault === undefined && certificate.endsAt > now() ? 1 : 0, attributes); // prettier-ignore
        },
      };
    },
    always(emit, isUp, seconds) {
      emit('check.success', isUp ? 1 : 0, attributes);
      emit('check.duration', seconds, attributes);
    },
  };
}

/** Checks of what others offer: HTTP, TCP, TLS certificates, DNS. */
export const check = defineCollector({
  name: 'check',
  summary: 'Checks whether web pages, ports, certificates and names answer as they should.',
  platforms: ['linux', 'darwin', 'win32', 'freebsd'],
  intervalSeconds: 30,
  config: Type.Object({ targets: checkTargets }, { additionalProperties: false }),
  create: ({ config, ...context }, connect: Connect<CheckTarget> = connectCheck) =>
    createTargets({
      collector: 'check',
      targets: config.targets,
      context,
      connect,
      reader: (target) => createReader(target, () => context.clock.now()),
    }),
});
