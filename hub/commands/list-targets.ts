import { services } from '../catalogue.ts';

/** The targets that there are: `all`, and each service alone on its port. */
export async function listTargets(asJson: boolean): Promise<string> {
  const rows = await Promise.all(
    Object.entries(services).map(async ([target, { port, load }]) => {
      const { summary, needs } = await load();
      return { target, port, summary, needs };
    }),
  );
  const all = {
    target: 'all',
    port: services['gateway']?.port ?? 8080,
    summary: 'Every service in one process.',
    needs: [],
  };
  const sorted = [all, ...rows.sort((a, b) => a.port - b.port)];
  if (asJson) return `${JSON.stringify(sorted, null, 2)}\n`;
  return sorted
    .map(({ target, port, summary, needs }) => {
      const asks = needs.length === 0 ? '' : ` Needs ${needs.join(', ')}.`;
      return `${target.padEnd(14)} ${port}  ${summary}${asks}\n`;
    })
    .join('');
}
