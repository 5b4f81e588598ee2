import { Type, type Static } from 'typebox';

/** Settings of the gateway. */
export const GatewayConfig = Type.Object({
  page: Type.String({
    description: 'Folder of another page; empty serves the one that came with the program, none serves no page.',
    default: '',
  }),
  requestsPerSecond: Type.Integer({
    description: 'Calls a second that one caller may make for long.',
    default: 50,
    minimum: 1,
  }),
  burst: Type.Integer({ description: 'Calls that one caller may make at once.', default: 200, minimum: 1 }),
  signInsPerSecond: Type.Integer({
    description: 'Calls a second that one address may make to sign in, renew or register.',
    default: 5,
    minimum: 1,
  }),
  signInBurst: Type.Integer({ description: 'Such calls that one address may make at once.', default: 30, minimum: 1 }),
});
export type GatewayConfig = Static<typeof GatewayConfig>;
