/** What nginx says of itself. */
export interface StubStatus {
  active: number;
  accepted: number;
  handled: number;
  requests: number;
  reading: number;
  writing: number;
  waiting: number;
}

const PAGE =
  /^Active connections:\s*(\d{1,15})\s+server accepts handled requests(?: request_time)?\s+(\d{1,15})\s+(\d{1,15})\s+(\d{1,15})(?:\s+\d{1,20})?\s+Reading:\s*(\d{1,15})\s+Writing:\s*(\d{1,15})\s+Waiting:\s*(\d{1,15})\s*$/;

/** Reads the page of the module stub_status, also Tengine's, which adds a time; `undefined` when it is another page. */
export function parseStubStatus(text: string): StubStatus | undefined {
  const match = text.length > 1000 ? null : PAGE.exec(text);
  if (match === null) return undefined;
  const [active = 0, accepted = 0, handled = 0, requests = 0, reading = 0, writing = 0, waiting = 0] = match.slice(1).map(Number); // prettier-ignore
  return { active, accepted, handled, requests, reading, writing, waiting };
}
