/** The word by which the single executable is started when it is to read the inventory and nothing else. */
export const INVENTORY_COMMAND = 'inventory-of-this-machine';
