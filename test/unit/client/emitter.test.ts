import { expect, test, vi } from 'vitest';

import { Emitter } from '../../../services/client/index.ts';

class Bell extends Emitter<{ ring: number }> {
  ring(times: number): void {
    this.emit('ring', times);
  }
}

test('a listener that throws stops no other, and its error is shown and thrown nowhere', async () => {
  const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
  const escaped: unknown[] = [];
  const note = (error: unknown) => escaped.push(error);
  process.on('uncaughtException', note);
  const bell = new Bell();
  const heard: number[] = [];
  bell.on('ring', () => {
    throw new Error('a bug');
  });
  bell.on('ring', (times) => heard.push(times));
  bell.ring(1);
  await new Promise((resolve) => setTimeout(resolve));
  process.off('uncaughtException', note);
  expect([heard, escaped]).toEqual([[1], []]);
  expect(shown).toHaveBeenCalledWith('A listener failed:', new Error('a bug'));
  shown.mockRestore();
});
