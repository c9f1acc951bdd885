import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { useDarkness } from './darkness.ts';

export type PlotOptions = Omit<uPlot.Options, 'width' | 'height'>;

interface PlotProps {
  readonly data: uPlot.AlignedData;
  /** Another shape is another plot, made with `optionsOf`; new data alone are not. */
  readonly shape: string;
  readonly optionsOf: (box: HTMLElement) => PlotOptions;
  readonly heightPx: number;
}

/** Lines on a canvas, as wide as there is room and in the colours of the day. Nobody hears it: say the same in words beside it. */
export function Plot({ data, shape, optionsOf, heightPx }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const isDark = useDarkness();

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const size = () => ({ width: element.clientWidth, height: heightPx });
    const drawn = new uPlot({ ...size(), ...optionsOf(element) }, data, element);
    plot.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
  }, [shape, isDark]);
  useEffect(() => plot.current?.setData(data), [data]);

  return <div ref={box} class="plot" aria-hidden="true" />;
}
