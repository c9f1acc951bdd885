import { addressBudget, type Budget, CONNECTION_BUDGET, USER_BUDGET } from '@fenghuo/protocol';
import type { Network } from '../domain/address.ts';
import { Account, Accounts, type Cost, spend } from '../domain/budget.ts';

export interface SendersOptions {
  /** Sessions of one user at once. */
  readonly userPeersMax: number;
  /** People behind one address; 0: addresses are not counted. */
  readonly addressPeersMax: number;
  /** An address is over its limit. */
  readonly onAddressLimited: (network: Network) => void;
  readonly nowMs: () => number;
}

/** Nothing, if none are owed. */
const NO_HANDSHAKE: Cost = { handshakes: 0 };
const FLOOD_MS = 2_000;
/** It costs as much as so many handshakes: each may come with a quarter of a megabyte, all of which is read. */
const VIOLATION: Cost = { handshakes: 50 };

/** Names of each kind that are remembered: what is forgotten begins with a full budget. */
const NAMES_MAX = 50_000;

/** What an address may use; undefined: addresses are not counted. */
export function addressBudgetOf({
  addressPeersMax,
}: Pick<SendersOptions, 'addressPeersMax'>): Budget | undefined {
  return addressPeersMax === 0 ? undefined : addressBudget(addressPeersMax);
}

/** Those who use a node: what one session, one user, one address may, whatever connections they have. */
export class Senders {
  readonly options: SendersOptions;
  readonly #sessions = new Accounts(CONNECTION_BUDGET, NAMES_MAX);
  readonly #users = new Accounts(USER_BUDGET, NAMES_MAX);
  readonly #addresses: Accounts | undefined;

  constructor(options: SendersOptions) {
    this.options = options;
    const budget = addressBudgetOf(options);
    if (budget !== undefined) this.#addresses = new Accounts(budget, NAMES_MAX);
  }

  /** One more of what somebody at that address does before it has a connection. 0, or the milliseconds to wait. */
  spendAt(network: Network, cost: Cost): number {
    const nowMs = this.options.nowMs();
    const account = this.#addresses?.of(network, nowMs);
    const waitMs = account === undefined ? 0 : spend([account], cost, nowMs);
    if (waitMs > 0) this.options.onAddressLimited(network);
    return waitMs;
  }

  /**
   * Whether that address goes on and on with handshakes that are refused: it owes those of two seconds. It is worth no answer
   * then, which would cost more than the rest of it.
   */
  isFlooding(network: Network): boolean {
    const nowMs = this.options.nowMs();
    return (this.#addresses?.of(network, nowMs).waitMs(NO_HANDSHAKE, nowMs) ?? 0) > FLOOD_MS;
  }

  /** What somebody at that address has done already. */
  oweAt(network: Network | undefined, cost: Cost): void {
    if (network !== undefined) this.#addresses?.of(network, this.options.nowMs()).take(cost);
  }

  /** Somebody at that address broke the protocol of a connection. */
  violatedAt(network: Network | undefined): void {
    this.oweAt(network, VIOLATION);
  }

  /** For a new connection from there, until it is `close`d. */
  open(network: Network, sub: string | undefined): Sender {
    const nowMs = this.options.nowMs();
    const user = sub === undefined ? undefined : this.#users.of(sub, nowMs);
    return new Sender(this, { user, address: this.#addresses?.of(network, nowMs) });
  }

  session(name: string): Account {
    return this.#sessions.of(name, this.options.nowMs());
  }
}

/** Whoever is at the other end of a connection: each request is charged to the connection, its user, and its address. */
export class Sender {
  readonly #senders: Senders;
  readonly #user: Account | undefined;
  readonly #address: Account | undefined;
  readonly #accounts: readonly Account[];
  #hasSession = false;
  /** Of the session that it has. */
  #session: Account | undefined;

  constructor(
    senders: Senders,
    { user, address }: { readonly user: Account | undefined; readonly address: Account | undefined },
  ) {
    this.#senders = senders;
    this.#user = user;
    this.#address = address;
    const connection = new Account(CONNECTION_BUDGET, senders.options.nowMs());
    this.#accounts = [connection, ...this.#shared()];
    for (const account of this.#shared()) account.connections += 1;
  }

  /** Takes it from all accounts, `session` among them, or from none. Returns 0, or the milliseconds until it can be. */
  spend(cost: Cost, session?: Account): number {
    const accounts = session === undefined ? this.#accounts : [...this.#accounts, session];
    return spend(accounts, cost, this.#senders.options.nowMs());
  }

  /** What was done already and could not be foreseen: a sender that owes waits longer. */
  owe(cost: Cost): void {
    for (const account of this.#accounts) account.take(cost);
  }

  /** Whether its user and its address may have one more session. */
  get mayJoin(): boolean {
    const { userPeersMax, addressPeersMax } = this.#senders.options;
    return (
      (this.#user === undefined || this.#user.sessions < userPeersMax) &&
      (this.#address === undefined || this.#address.sessions < addressPeersMax)
    );
  }

  /** Whether it has a session, or is about to. */
  set hasSession(hasSession: boolean) {
    if (hasSession === this.#hasSession) return;
    this.#hasSession = hasSession;
    for (const account of this.#shared()) account.sessions += hasSession ? 1 : -1;
    if (this.#session !== undefined) this.#session.sessions -= 1;
    this.#session = undefined;
  }

  /** What it is charged in that session besides: a budget of its own, which outlives its connections. */
  sessionAccount(peer: string): Account {
    const account = this.#senders.session(peer);
    if (this.#hasSession && this.#session === undefined) {
      this.#session = account;
      account.sessions += 1;
    }
    return account;
  }

  close(): void {
    this.hasSession = false;
    for (const account of this.#shared()) account.connections -= 1;
  }

  #shared(): Account[] {
    return [this.#user, this.#address].filter((account) => account !== undefined);
  }
}
