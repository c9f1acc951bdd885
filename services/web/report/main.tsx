import { render } from 'preact';
import { Report } from './components/report.tsx';
import type { PageData } from './page-data.ts';

const page = document.getElementById('page');
const text = document.getElementById('data')?.textContent;
if (page !== null) render(<Report data={JSON.parse(text ?? 'null') as PageData | null} />, page);
