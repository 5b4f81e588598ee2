import type { ChannelDefinition, GuardedFetch } from '#sdk';
import type { Component, ComponentDefinition, Context } from '#sdk';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { Static, TObject } from 'typebox';
import type { ServiceApp } from './http.ts';
import type { Blobs } from './ports/blobs.ts';
import type { Bus } from './ports/bus.ts';
import type { Cache } from './ports/cache.ts';
import type { LogStore } from './ports/logstore.ts';
import type { Peers } from './ports/peers.ts';
import type { Relational } from './ports/relational.ts';
import type { SeriesStore } from './ports/series.ts';

/** Everything that a service may ask of the world, in the order in which ports start. */
export interface Ports {
  relational: Relational;
  series: SeriesStore;
  logstore: LogStore;
  cache: Cache;
  bus: Bus;
  blobs: Blobs;
  peers: Peers;
}
export type PortName = keyof Ports;

/** What a service may know of the hub that it is part of. */
export interface HubFacts {
  version: string;
  /** Base address by which people reach the hub: `http://127.0.0.1:8080`. */
  publicUrl: string;
  /** `host:port` of the agents' listener, as join tokens name it. */
  linkAddress: string;
  /** Where listeners bind: an address. */
  listen: string;
  /** Names and addresses that certificates of the hub must carry. */
  hostnames: readonly string[];
  /** Folder of the page that came with the program; empty when none did. */
  page: string;
  /** Folders in which packages of the agent may lie, looked at in this order at each call. */
  downloads: readonly string[];
  /** The program that trains models, as arguments of Node; empty when none came with this one, as when it runs from source. */
  training: readonly string[];
  /** Which service answers which paths; the longest prefix wins. */
  routes: readonly { prefix: string; service: string }[];
}

/** The ways to tell a person that ship, by name; each is loaded when it is asked for. */
export type ChannelCatalogue = Readonly<Record<string, () => Promise<ChannelDefinition>>>;

/** What a service is given: its settings, the ports that it needs and no others. */
export interface ServiceContext<Config, Needs extends PortName> extends Context<Config> {
  ports: Pick<Ports, Needs>;
  metrics: Registry;
  hub: HubFacts;
  /** The only way to call an address that a user gave. */
  egress: GuardedFetch;
  channels: ChannelCatalogue;
}

/** One of the hub's parts. `routes` declares its web API on an app of its own that peers call. */
export interface Service extends Component {
  routes?(app: ServiceApp): void | Promise<void>;
  /** What is mounted on the process's listener itself. Only the gateway has one. */
  edge?(listener: FastifyInstance): void | Promise<void>;
}

/** How a service is declared. */
export interface ServiceDefinition<
  Schema extends TObject = TObject,
  Needs extends PortName = PortName,
> extends ComponentDefinition<Schema, ServiceContext<Static<Schema>, Needs>, Service> {
  /** What it is for, in one sentence. */
  summary: string;
  needs: readonly Needs[];
}

/** Declares a service; its types follow from its settings schema and its needs. */
export function defineService<Schema extends TObject, const Needs extends PortName>(
  definition: ServiceDefinition<Schema, Needs>,
): ServiceDefinition<Schema, Needs> {
  return definition;
}
