/** Eigenvectors of a symmetric matrix, the largest eigenvalue first, each of length one. */
export interface Eigen {
  values: number[];
  /** `vectors[k]` belongs to `values[k]`. */
  vectors: Float64Array[];
}

/** Turns rows and columns `p` and `q` of the matrix so that their common element vanishes, and the vectors with them. */
function rotate(matrix: Float64Array[], vectors: Float64Array[], p: number, q: number): void {
  const a = matrix[p]!;
  const b = matrix[q]!;
  const theta = (b[q]! - a[p]!) / (2 * a[q]!);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cos = 1 / Math.sqrt(tangent * tangent + 1);
  const sin = tangent * cos;
  for (const row of matrix) {
    const [x, y] = [row[p]!, row[q]!];
    row[p] = cos * x - sin * y;
    row[q] = sin * x + cos * y;
  }
  for (const [first, second] of [
    [a, b],
    [vectors[p]!, vectors[q]!],
  ] as const) {
    for (let k = 0; k < first.length; k++) {
      const [x, y] = [first[k]!, second[k]!];
      first[k] = cos * x - sin * y;
      second[k] = sin * x + cos * y;
    }
  }
}

/** Jacobi's cyclic method: exact enough and short; a second for 256 rows. `symmetric` is used up. */
export function eigenOf(symmetric: Float64Array[]): Eigen {
  const n = symmetric.length;
  const vectors = symmetric.map((_, i) => Float64Array.from({ length: n }, (_x, j) => (i === j ? 1 : 0)));
  let whole = 0;
  for (const row of symmetric) for (const value of row) whole += value * value;
  for (let sweep = 0; sweep < 40; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += symmetric[p]![q]! ** 2;
    if (off <= 1e-18 * whole) break;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) if (Math.abs(symmetric[p]![q]!) > 1e-300) rotate(symmetric, vectors, p, q);
  }
  const order = symmetric.map((row, i) => ({ value: row[i]!, vector: vectors[i]! }));
  order.sort((a, b) => b.value - a.value);
  return { values: order.map(({ value }) => value), vectors: order.map(({ vector }) => vector) };
}
