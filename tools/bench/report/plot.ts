import type { Line } from './figures.ts';

const WIDTH = 860;
const LEFT = 190;
const RIGHT = 150;
const TOP = 54;
const ROW = 34;
const BAR = 11;

/** For a light page and for a dark one, by what the reader’s browser says; a viewer that does not ask draws the light one. */
const STYLE = `
  .page { fill: #ffffff; }
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .soft { fill: #57606a; }
  .wall { fill: #8c959f; } .product .wall { fill: #0969da; }
  .cpu { fill: #d0d7de; } .product .cpu { fill: #9cc7f5; }
  .product text { font-weight: 600; }
  .axis { stroke: #d0d7de; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    text { fill: #e6edf3; }
    .soft { fill: #9198a1; }
    .wall { fill: #7d8590; } .product .wall { fill: #4493f8; }
    .cpu { fill: #3d444d; } .product .cpu { fill: #1f4e8c; }
    .axis { stroke: #3d444d; }
  }
`;

/** Wall and CPU seconds of every line as an SVG, fastest first. `isProduct` says whose bars stand out. */
export function plot(title: string, lines: readonly Line[], isProduct: (name: string) => boolean): string {
  const sorted = lines.toSorted((a, b) => a.seconds.median - b.seconds.median);
  const most = Math.max(1, ...sorted.flatMap((line) => [line.seconds.max, line.clientCpuSeconds?.median ?? 0]));
  const scale = (WIDTH - LEFT - RIGHT) / most;
  const height = TOP + sorted.length * ROW + 8;
  const rows = sorted.map((line, index) => {
    const y = TOP + index * ROW;
    const cpu = line.clientCpuSeconds?.median;
    const wall = line.seconds.median;
    const end = LEFT + Math.max(wall, cpu ?? 0) * scale + 8;
    const told = cpu === undefined ? `${wall.toFixed(1)} s` : `${wall.toFixed(1)} s · CPU ${cpu.toFixed(1)} s`;
    return [
      `<g class="${isProduct(line.name) ? 'product' : 'peer'}">`,
      `<text x="${LEFT - 10}" y="${y + BAR + 4}" text-anchor="end">${escaped(line.name)}</text>`,
      bar('wall', y, wall * scale),
      ...(cpu === undefined ? [] : [bar('cpu', y + BAR + 1, cpu * scale)]),
      `<text x="${round(end)}" y="${y + BAR + 4}">${told}</text>`,
      '</g>',
    ].join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    '<rect class="page" width="100%" height="100%"/>',
    `<text x="${LEFT}" y="18">${escaped(title)}</text>`,
    `<text x="${LEFT}" y="36" class="soft">upper bar: wall seconds, lower bar: CPU seconds of the client; shorter is better; blue: genesys-kafka</text>`,
    `<line class="axis" x1="${LEFT}" x2="${LEFT}" y1="${TOP - 6}" y2="${height - 6}"/>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function bar(name: string, y: number, width: number): string {
  return `<rect class="${name}" x="${LEFT}" y="${y}" width="${round(width)}" height="${BAR}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
