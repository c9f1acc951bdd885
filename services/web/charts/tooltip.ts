import type uPlot from 'uplot';

interface TipText {
  readonly x: (value: number) => string;
  readonly y: (value: number) => string;
}

/** What the lines say where the cursor is. */
export function tooltip({ x, y }: TipText): uPlot.Plugin {
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  return {
    hooks: {
      init: (plot) => void plot.over.append(tip),
      setCursor: (plot) => {
        const { idx, left = -1 } = plot.cursor;
        const at = idx === null || idx === undefined ? undefined : plot.data[0][idx];
        tip.hidden = at === undefined || left < 0;
        if (tip.hidden || at === undefined || idx === null || idx === undefined) return;
        tip.replaceChildren(text('b', x(at)), ...valuesAt(plot, idx, y));
        const isRight = left > plot.over.clientWidth / 2;
        tip.style.left = isRight ? 'auto' : `${left + 12}px`;
        tip.style.right = isRight ? `${plot.over.clientWidth - left + 12}px` : 'auto';
      },
    },
  };
}

function valuesAt(plot: uPlot, idx: number, y: TipText['y']): HTMLElement[] {
  return plot.series.slice(1).flatMap((series, index) => {
    const value = plot.data[index + 1]?.[idx];
    if (value === null || value === undefined) return [];
    const row = text('span', '');
    const swatch = text('i', '');
    swatch.className = 'swatch';
    if (typeof series.stroke === 'function') swatch.style.background = String(series.stroke(plot, index + 1));
    row.append(swatch, text('span', String(series.label)), text('b', y(value)));
    return [row];
  });
}

function text(tag: string, content: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = content;
  return element;
}
