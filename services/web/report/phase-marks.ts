import type uPlot from 'uplot';
import type { lookOf } from '../charts/look.ts';
import type { Phase } from './page-data.ts';

const LABEL_GAP_PX = 4;

/** Marks what happened when, behind the lines: a span as a band, a moment as an upright. */
export function phaseMarks(
  phases: readonly Phase[],
  { colour, fontFamily }: ReturnType<typeof lookOf>,
): uPlot.Plugin {
  return {
    hooks: {
      drawClear: (plot) => {
        const { ctx } = plot;
        ctx.save();
        ctx.font = `${11 * devicePixelRatio}px ${fontFamily}`;
        ctx.textBaseline = 'bottom';
        ctx.textAlign = 'left';
        phases.forEach(
          (phase, index) => void (phase.toS === undefined ? moment(plot, phase) : span(plot, phase, index)),
        );
        ctx.restore();
      },
    },
  };

  function span({ ctx, bbox, valToPos }: uPlot, { name, fromS, toS = fromS }: Phase, index: number): void {
    const from = within(valToPos(fromS, 'x', true), bbox);
    const width = within(valToPos(toS, 'x', true), bbox) - from;
    ctx.fillStyle = colour('--fire-inner');
    ctx.globalAlpha = index % 2 === 0 ? 0.05 : 0.13;
    ctx.fillRect(from, bbox.top, width, bbox.height);
    ctx.globalAlpha = 1;
    ctx.fillStyle = colour('--quiet');
    const gap = LABEL_GAP_PX * devicePixelRatio;
    if (ctx.measureText(name).width + gap <= width) ctx.fillText(name, from + gap / 2, bbox.top - gap / 4);
  }

  function moment({ ctx, bbox, valToPos }: uPlot, { name, fromS }: Phase): void {
    const at = within(valToPos(fromS, 'x', true), bbox);
    ctx.strokeStyle = colour('--bad');
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillStyle = colour('--bad');
    const gap = LABEL_GAP_PX * devicePixelRatio;
    const isRight = at > bbox.left + bbox.width / 2;
    const left = isRight ? at - gap - ctx.measureText(name).width : at + gap;
    ctx.fillText(name, left, bbox.top + 14 * devicePixelRatio);
  }
}

function within(x: number, { left, width }: uPlot.BBox): number {
  return Math.min(left + width, Math.max(left, x));
}
