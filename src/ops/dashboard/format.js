// Figures as people read them. Nothing here touches the page.

const grouping = new Intl.NumberFormat('en-US', {maximumFractionDigits: 0});

/** 1,234,567 */
export const whole = (n) => Number.isFinite(n) ? grouping.format(n) : '–';

/** 0.3, 9,876, 12.3 k, 1.23 M: three digits or more, never more room than that. */
export function short(n) {
  if (!Number.isFinite(n)) return '–';
  if (n > 0 && n < 10) return String(Number(n.toPrecision(2)));
  if (n < 10_000) return whole(n);
  for (const [unit, size] of [['G', 1e9], ['M', 1e6], ['k', 1e3]]) {
    if (n >= size * 0.9995) return `${(n / size).toPrecision(n >= size * 999.5 ? 4 : 3)} ${unit}`;
  }
  return whole(n);
}

/** 12.3 MB (powers of ten), or MiB where `binary`. */
export function bytes(n, binary = false) {
  if (!Number.isFinite(n)) return '–';
  const step = binary ? 1024 : 1000;
  const units = binary ? ['B', 'KiB', 'MiB', 'GiB', 'TiB'] : ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (n >= step && unit < units.length - 1) {
    n /= step;
    ++unit;
  }
  return `${unit === 0 || n >= (binary ? 10 : 100) ? Math.round(n) : Number(n.toPrecision(3))} ${units[unit]}`;
}

/** 0.4 µs, 843 µs, 12.3 ms, 1.2 s */
export function time(us) {
  if (!Number.isFinite(us)) return '–';
  if (us < 999.5) return `${Number(us.toPrecision(us < 1 ? 1 : 3))} µs`;
  if (us < 999_500) return `${Number((us / 1e3).toPrecision(3))} ms`;
  return `${Number((us / 1e6).toPrecision(3))} s`;
}

/** 0.06 / 4.5 / 64 ms: several times in the unit of the largest. */
export function times(all) {
  const most = Math.max(...all);
  if (!Number.isFinite(most)) return '–';
  const [unit, size] = most < 999.5 ? ['µs', 1] : most < 999_500 ? ['ms', 1e3] : ['s', 1e6];
  const figure = (us) => {
    const n = us / size;
    return n >= 99.5 ? n.toFixed(0) : String(Number(n < 0.1 ? n.toPrecision(1) : n.toPrecision(2)));
  };
  return `${all.map(figure).join(' / ')} ${unit}`;
}

/** 12 s, 3 min 4 s, 5 h 12 min, 3 d 4 h */
export function duration(seconds) {
  const all = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [Math.floor(all / 86_400), Math.floor(all / 3600) % 24, Math.floor(all / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${all % 60} s` : `${all} s`;
}

/** 12 % */
export function percent(share) {
  if (!Number.isFinite(share)) return '–';
  const p = share * 100;
  return p > 0 && p < 1 ? '< 1 %' : `${Math.round(p)} %`;
}

/** One thing, 2 things */
export const count = (n, one, many = `${one}s`) => `${whole(n)} ${n === 1 ? one : many}`;

/** The local time of day; with the date where it is not today's. */
export function clock(when) {
  const at = new Date(when);
  const day = at.toLocaleDateString('sv-SE');  // 2026-11-22
  const text = at.toLocaleTimeString('sv-SE');  // 14:03:09
  return day === new Date().toLocaleDateString('sv-SE') ? text : `${day} ${text}`;
}
