import { addressBudget, CONNECTION_BUDGET } from '@fenghuo/protocol';
import { expect, test } from 'vitest';
import { Account, Accounts, recordCost, spend } from '../../../services/signaling/domain/budget.ts';
import { defaultLogBounds } from '../../../services/signaling/domain/log-bounds.ts';

const BUDGET = { requests: { burst: 10, perSecond: 2 }, log_bytes: { burst: 1_000, perSecond: 100 } };

test('a budget is taken at once up to its burst, and one past it waits for exactly as long as it says', () => {
  const account = new Account(BUDGET, 0);
  for (let n = 0; n < 10; n++) expect(spend([account], { requests: 1 }, 0)).toBe(0);
  expect(spend([account], { requests: 1 }, 0)).toBe(500);
  expect(spend([account], { requests: 1 }, 499)).toBe(1);
  expect(spend([account], { requests: 1 }, 500)).toBe(0);
});

test('where one account lacks something, nothing is taken from any', () => {
  const [poor, rich] = [new Account(BUDGET, 0), new Account(BUDGET, 0)];
  poor.take({ requests: 10 });
  expect(spend([rich, poor], { requests: 1, log_bytes: 1_000 }, 0)).toBe(500);
  expect(rich.waitMs({ requests: 10, log_bytes: 1_000 }, 0)).toBe(0);
});

test('what was not foreseen is owed, but no more than another burst; until then even nothing waits', () => {
  const account = new Account(BUDGET, 0);
  account.take({ log_bytes: 1_000_000 });
  expect(spend([account], { log_bytes: 0 }, 0)).toBe(10_000);
  expect(spend([account], { requests: 1 }, 0)).toBe(0);
  expect(spend([account], { log_bytes: 0 }, 10_000)).toBe(0);
});

test('what costs more than the burst waits for a full bucket, not for ever', () => {
  const account = new Account(BUDGET, 0);
  account.take({ log_bytes: 100 });
  expect(spend([account], { log_bytes: 5_000 }, 0)).toBe(1_000);
  expect(spend([account], { log_bytes: 5_000 }, 1_000)).toBe(0);
});

test('the account that was used longest ago is forgotten first, and none that has connections', () => {
  const accounts = new Accounts(BUDGET, 2);
  accounts.of('held', 0).connections = 1;
  const idle = accounts.of('idle', 0);
  accounts.of('new', 0);
  expect(accounts.size).toBe(2);
  expect(accounts.of('idle', 0)).not.toBe(idle);
  expect(accounts.of('held', 0).connections).toBe(1);
});

test('an account that nobody uses is forgotten once it is full again', () => {
  const accounts = new Accounts(BUDGET, 1_000);
  accounts.of('held', 0).connections = 1;
  for (let n = 0; n < 500; n++) accounts.of(`gone ${n}`, 0).take({ requests: 1 });
  accounts.of('poor', 0).take({ log_bytes: 1_000_000 });
  expect(accounts.size).toBe(502);
  for (let n = 0; n < 500; n++) accounts.of('new', 1_000);
  expect(accounts.size).toBe(3);
  expect(accounts.of('held', 1_000).connections).toBe(1);
  expect(accounts.of('poor', 1_000).waitMs({ log_bytes: 0 }, 1_000)).toBeGreaterThan(0);
  for (let n = 0; n < 4; n++) accounts.of('new', 60_000);
  expect(accounts.size).toBe(2);
});

test('D5: six connections that write all they may within the age of a log leave its second half alone', () => {
  const { ageMs, writtenBytesMax } = defaultLogBounds(30_000);
  const { burst, perSecond } = CONNECTION_BUDGET.log_bytes;
  expect(6 * (burst + (perSecond * ageMs) / 1_000)).toBeLessThanOrEqual(writtenBytesMax / 2);
});

test('an address for a few people may use as much as a conference of them does', () => {
  const account = new Account(addressBudget(1), 0);
  // A mesh of 20 joins: each sends 19 descriptions of 8 KB and 15 candidates to each, twice.
  for (let person = 0; person < 20; person++)
    for (let peer = 0; peer < 19; peer++) {
      for (let n = 0; n < 2; n++) expect(spend([account], recordCost(8_000, 1), 0)).toBe(0);
      for (let n = 0; n < 5; n++) expect(spend([account], recordCost(200, 1), 0)).toBe(0);
    }
});
