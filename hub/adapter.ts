import type { Component, ComponentDefinition, Context } from '#sdk';
import type { Registry } from 'prom-client';
import type { Static, TObject } from 'typebox';

/** What an adapter is given: its settings and the hub's data folder, in which it may have a folder of its own. */
export interface AdapterContext<Config> extends Context<Config> {
  dataFolder: string;
  metrics: Registry;
}

/** A component that gives a port. The port may be called between start and stop. */
export interface Adapter<Port> extends Component {
  port: Port;
}

/** How one way to give a port is declared; `hub/catalogue.ts` lists those that ship. */
export interface AdapterDefinition<Port, Schema extends TObject = TObject> extends ComponentDefinition<
  Schema,
  AdapterContext<Static<Schema>>,
  Adapter<Port>
> {
  /** Who sees what is put there: this process alone, or every process of the hub. */
  reach: 'process' | 'hub';
  /** What is wrong with settings that fit the schema, a sentence each, without a secret in it. */
  faults?(config: Static<Schema>): readonly string[];
}

/** Declares an adapter; its types follow from its settings schema and the port it gives. */
export function defineAdapter<Port, Schema extends TObject = TObject>(
  definition: AdapterDefinition<Port, Schema>,
): AdapterDefinition<Port, Schema> {
  return definition;
}
