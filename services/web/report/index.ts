export type { Change, LatencyData, PageData, RunData } from './page-data.ts';
export {
  bytesText,
  clockText,
  countText,
  type Kind,
  momentText,
  ratioText,
  shareText,
  threeDigits,
  timeText,
  valueText,
} from './units.ts';

/** The built page, which takes up its data where this stands in it. */
export const PAGE_URL = new URL('./dist/report.html', import.meta.url);
export const DATA_PLACE = '<script type="application/json" id="data">null</script>';
