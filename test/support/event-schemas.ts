import { Ajv } from 'ajv';
import { EVENTS } from '../../src/events/event-table.js';
import type { EventMessage } from '../../src/events/projections/outbox-messages.js';

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
const validators = new Map(Object.entries(EVENTS).map(([type, { data }]) => [type, ajv.compile(data)]));

/** What is wrong with the events, by the table's schemas. */
export function schemaErrors(messages: readonly EventMessage[]): string[] {
  return messages.flatMap(({ type, version, data }) => {
    const validate = validators.get(type);
    if (!validate) return [`${type} is not in the table`];
    const expected = EVENTS[type as keyof typeof EVENTS].version;
    const errors = validate(data) ? [] : [`${type}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(data)}`];
    return version === expected ? errors : [...errors, `${type} has version ${version}`];
  });
}
