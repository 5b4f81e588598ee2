// The figures that somebody asks for first, in one table: what was measured, what it must be, and the record beside it.
import { ANCHORS, type SetFigures } from './hosts.ts';
import { averages, type LogResult } from './logs.ts';
import type { NabScore } from './nab-score.ts';
import type { SequenceFigures } from './sequences.ts';

/** One line of the table. */
export interface Finding {
  what: string;
  measured: number;
  /** The least, or with `most` the greatest, that it may be. */
  bar: number;
  most?: true;
  record: string;
}

/** Of the single-metric detector, at its frozen threshold. */
export const ofNab = ({ score, falsePer1000 }: NabScore): Finding[] => [
  {
    ...{ what: 'NAB, standard profile, causal, threshold as set', measured: score, bar: 68 },
    record: '66.1 best cheap causal one; 74.9 with look-ahead (ARTime)',
  },
  {
    ...{ what: 'NAB, false episodes per 1,000 samples', measured: falsePer1000, bar: 0.35, most: true },
    record: '0.19 contextOSE; 0.61 ARTime',
  },
];

/** Of the score of a host, with the autoencoder. */
export const ofHosts = (sets: readonly SetFigures[]): Finding[] =>
  sets.flatMap(({ set, scores: { autoencoder: best } }) => {
    if (best === undefined) return [];
    const [name, anchor] = [set.toUpperCase(), ANCHORS[set as keyof typeof ANCHORS]];
    return [
      { what: `${name}, AUC-PR`, measured: best.aucPr, bar: anchor, record: `${anchor} PCA over the public set` },
      {
        ...{ what: `${name}, % of segments found, causal threshold`, measured: (100 * best.found) / best.segments },
        ...{ bar: 95, record: '97 and 95 off line' },
      },
      {
        ...{ what: `${name}, % of quiet rows that alert meanwhile`, measured: 100 * best.falseShare, bar: 1 },
        ...{ most: true as const, record: '1, chosen off line' },
      },
    ];
  });

/** Of the template miner: corrected labels where there are any. */
export function ofLogs(results: readonly LogResult[]): Finding[] {
  const { ga, fga, pa, fta, off } = averages(results);
  return [
    { what: 'loghub 2k, grouping accuracy', measured: ga, bar: 0.95, record: '.98 ByteBrain; .85 Drain' },
    { what: 'loghub 2k, FGA', measured: fga, bar: 0.9, record: '.92 LILAC (a language model); .74 Drain' },
    { what: 'loghub 2k, parsing accuracy', measured: pa, bar: 0.5, record: '.84 LILAC; .32 Drain' },
    { what: 'loghub 2k, FTA', measured: fta, bar: 0.45, record: '.81 LILAC; .28 Drain' },
    {
      ...{ what: 'loghub 2k, what a shuffled order changes at most', measured: off, bar: 0.01 },
      ...{ most: true, record: 'nobody tells' },
    },
  ];
}

/** Of the detector of log sequences, on HDFS. */
export function ofSequences(figures: readonly SequenceFigures[]): Finding[] {
  const hdfs = figures.find(({ set }) => set === 'HDFS');
  if (hdfs === undefined) return [];
  return [
    { what: 'HDFS, F1', measured: hdfs.f1, bar: 0.96, record: '.971 (best .984); .933 unseen count vector' },
    {
      ...{ what: 'HDFS, % of normal sequences that alert', measured: 100 * hdfs.falsePositives, bar: 0.3 },
      ...{ most: true, record: '.39 unseen count vector' },
    },
  ];
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

/** The table, in Markdown. */
export function tableOf(findings: readonly Finding[]): string {
  const rows = findings.map(({ what, measured, bar, most, record }) => {
    const isMet = most ? measured <= bar : measured >= bar;
    return `| ${what} | ${short(measured)} | ${most ? '≤' : '≥'} ${short(bar)} | ${isMet ? 'met' : '**short**'} | ${record} |`;
  });
  return ['| what | measured | must be | | record |', '|---|---|---|---|---|', ...rows].join('\n');
}
