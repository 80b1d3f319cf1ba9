/** Bar charts as inline SVG. @module */
import { escapeHtml, formatCount } from "./format.ts";

const WIDTH = 760;
const LABEL = 150;
const ROW = 26;
const NOTE = 150;

export interface Bar {
  label: string;
  value: number;
  /** Shown behind the bar. */
  text: string;
}

/** Horizontal bars, the longest value filling the width; empty text when there is nothing to show. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const max = Math.max(0, ...bars.map((bar) => bar.value));
  if (max <= 0) return "";
  const room = WIDTH - LABEL - NOTE;
  const rows = bars.map((bar, index) => {
    const width = Math.max(bar.value > 0 ? 2 : 0, (room * bar.value) / max);
    const y = index * ROW;
    return text(0, y, bar.label) + rect("bar", LABEL, y, width) +
      text(LABEL + width + 8, y, bar.text);
  });
  return svg(title, bars.length, rows.join(""));
}

export interface StackedBar {
  label: string;
  parts: readonly { name: string; value: number }[];
}

/** Bars of full width, divided by share; the name of each part is its CSS class and its tooltip. */
export function stackedBars(title: string, bars: readonly StackedBar[]): string {
  const first = bars[0];
  if (first === undefined) return "";
  const room = WIDTH - LABEL;
  const rows = bars.map((bar, index) => {
    const sum = bar.parts.reduce((total, part) => total + part.value, 0);
    let x = LABEL;
    const parts = bar.parts.map((part) => {
      const width = sum === 0 ? 0 : (room * part.value) / sum;
      const shape = rect(
        part.name,
        x,
        index * ROW,
        width,
        `${part.name}: ${formatCount(part.value)}`,
      );
      x += width;
      return shape;
    });
    return text(0, index * ROW, bar.label) + parts.join("");
  });
  const legend = first.parts.map(({ name }, index) => {
    const x = LABEL + index * 120;
    const y = bars.length * ROW;
    return `<rect class="${escapeHtml(name)}" x="${x}" y="${y + 8}" width="10" height="10"/>` +
      text(x + 15, y, name);
  });
  return svg(title, bars.length + 1, rows.join("") + legend.join(""));
}

function svg(title: string, rows: number, body: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${rows * ROW}" width="${WIDTH}" role="img" aria-label="${
    escapeHtml(title)
  }"><title>${escapeHtml(title)}</title>${body}</svg>`;
}

function rect(name: string, x: number, y: number, width: number, tip = ""): string {
  const title = tip === "" ? "" : `<title>${escapeHtml(tip)}</title>`;
  return `<rect class="${escapeHtml(name)}" x="${x.toFixed(1)}" y="${y + 4}" width="${
    width.toFixed(1)
  }" height="18">${title}</rect>`;
}

function text(x: number, y: number, content: string): string {
  return `<text x="${x.toFixed(1)}" y="${y + 18}">${escapeHtml(content)}</text>`;
}
