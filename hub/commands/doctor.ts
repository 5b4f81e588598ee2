import type { Finding, Level } from '../doctor.ts';
import { askHub } from './control-client.ts';

/** What the doctor says of each process of a hub. */
interface Examined {
  /** `this process` or the service that it runs. */
  where: string;
  findings: Finding[];
}

const WORST: readonly Level[] = ['failing', 'near', 'slow', 'ok'];

function paragraph({ where, findings }: Examined, alone: boolean): string {
  const sorted = WORST.flatMap((level) => findings.filter((finding) => finding.level === level));
  const lines = sorted.map(({ level, subject, text, todo }) => {
    const line = `${level.padEnd(8)} ${subject}: ${text}`;
    return todo === '' ? line : `${line}\n         → ${todo}`;
  });
  return `${alone ? '' : `${where}\n`}${lines.join('\n')}\n`;
}

/** Says in words what is slow, failing or near a limit; `failing` is true when something is. */
export async function doctor(dataFolder: string, asJson: boolean): Promise<{ text: string; failing: boolean }> {
  const examined = await askHub<Examined[]>(dataFolder, '/doctor');
  const failing = examined.some(({ findings }) => findings.some(({ level }) => level === 'failing'));
  if (asJson) return { text: `${JSON.stringify(examined, null, 2)}\n`, failing };
  const ill = examined.flatMap(({ findings }) => findings).filter(({ level }) => level !== 'ok').length;
  const verdict = ill === 0 ? 'Nothing is slow, failing or near a limit.\n' : `${ill} to look at.\n`;
  return { text: `${examined.map((one) => paragraph(one, examined.length === 1)).join('\n')}\n${verdict}`, failing };
}
