import { askHub } from './control-client.ts';

/** What belongs into the settings of NATS servers, so that agents can send over them: public keys of the hub that runs here. */
export async function natsConfig(dataFolder: string): Promise<string> {
  const { text } = await askHub<{ text: string }>(dataFolder, '/internal/ingest/nats');
  return text;
}
