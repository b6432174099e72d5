import type { ClientBase } from 'pg';
import { SinkError } from '../errors.ts';
import { OWN_COLUMNS } from './own-columns.ts';
import type { GeneratedColumn, RecordType } from './postgres-options.ts';

export interface TableOptions {
  /** As in the settings: name, or schema and name. */
  readonly table: string;
  readonly recordType: RecordType;
  readonly columns: Readonly<Record<string, GeneratedColumn>>;
}

/** What is there for a column that is wanted, or wanted for one that is there. */
interface Compared {
  readonly name: string;
  readonly wanted: string | null;
  readonly found: string | null;
  readonly same: boolean | null;
  /** It takes no null, and nothing but an insert fills it. */
  readonly required: boolean | null;
  readonly generated: boolean | null;
}

interface Surroundings {
  readonly exists: boolean;
  readonly encoding: string;
  readonly readOnly: boolean;
  /** The schema that the table is, or would be, in; null where there is none. */
  readonly schema: string | null;
}

const SURROUNDINGS = `
  SELECT to_regclass($1) IS NOT NULL AS "exists", current_setting('server_encoding') AS encoding,
    current_setting('transaction_read_only') = 'on' AS "readOnly", coalesce($2, current_schema()) AS schema`;

const COMPARISON = `
  WITH there AS (
    SELECT attname::text AS name, atttypid AS type, format_type(atttypid, atttypmod) AS shown,
      attnotnull AND NOT atthasdef AND attidentity = '' AS required, attgenerated <> '' AS generated
    FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped)
  SELECT coalesce(there.name, want.name) AS name, want.type AS wanted, there.shown AS found,
    there.type = to_regtype(want.type) AS same, there.required, there.generated
  FROM there FULL JOIN unnest($2::text[], $3::text[]) AS want (name, type) ON there.name = want.name
  ORDER BY 1`;

/** The table's name as SQL. */
export function quotedTable(table: string): string {
  return table.split('.').map(quoted).join('.');
}

/** The statement that makes the table. @internal */
export function creationOf(options: TableOptions): string {
  const types = ownTypes(options);
  const own = OWN_COLUMNS.map((name) => `${name} ${types[name]} ${name === 'id' ? 'PRIMARY KEY' : 'NOT NULL'}`);
  const generated = Object.entries(options.columns).map(([name, column]) => generation(name, column));
  return `CREATE TABLE IF NOT EXISTS ${quotedTable(options.table)} (${[...own, ...generated].join(', ')})`;
}

/**
 * Sees to it that the table is there and is as the statement needs it. With `create` it is made where it is missing;
 * without, it is enough that it could be (made and taken back in a transaction), and false says so. Rejects with a SinkError that names every difference, or with an
 * error of `pg`.
 */
export async function prepareTable(client: ClientBase, options: TableOptions, create: boolean): Promise<boolean> {
  const { table, recordType } = options;
  const [, schema] = /^(.*)\./.exec(table) ?? [];
  const { rows } = await client.query<Surroundings>(SURROUNDINGS, [quotedTable(table), schema]);
  const around = rows[0]!;
  if (around.readOnly)
    throw new SinkError('sink-database-unready', `The server of table ${table} only reads: a standby, or set so.`);
  if (around.encoding !== 'UTF8' && recordType !== 'bytea')
    throw new SinkError(
      'sink-table-mismatch',
      `The database of table ${table} is in ${around.encoding}, not in UTF8.`,
      {
        remedy: "Use a database in UTF8, or set the sink's recordType to bytea.",
      },
    );
  if (!around.exists) {
    await mayCreate(client, table, around.schema);
    if (!create) {
      await tryCreation(client, options);
      return false;
    }
    await createTable(client, options).catch(unlessRaced);
  }
  const differences = await differencesOf(client, options);
  if (differences.length === 0) return true;
  throw new SinkError('sink-table-mismatch', `Table ${table} is of another shape: ${differences.join('; ')}.`);
}

/** One statement and no more, whatever the expressions of the columns hold. */
async function createTable(client: ClientBase, options: TableOptions): Promise<void> {
  const creation = { text: creationOf(options), queryMode: 'extended' };
  await client.query(creation);
}

/** Makes the table and takes it back. No record is there yet: what the server says is about our SQL, and told. */
async function tryCreation(client: ClientBase, options: TableOptions): Promise<void> {
  await client.query('BEGIN');
  try {
    await createTable(client, options);
  } catch (error) {
    const { code = '', message = '' } = error as { code?: string; message?: string };
    // A syntax error, a rule of Postgres, a type's limit; or two who make it at once, or a right.
    if (!/^(22|42)/.test(code) || ['42501', '42710', '42P07'].includes(code)) {
      unlessRaced(error);
      return;
    }
    throw new SinkError('sink-database-refused', `Table ${options.table} cannot be made: ${message} (${code}).`, {
      remedy: "Correct the sink's `columns`; docs/sinks/postgres.md says what they may be made of.",
      cause: error,
    });
  } finally {
    await client.query('ROLLBACK');
  }
}

async function mayCreate(client: ClientBase, table: string, schema: string | null): Promise<void> {
  const may =
    schema !== null &&
    (await client.query<{ may: boolean }>("SELECT has_schema_privilege($1, 'CREATE') AS may", [schema])).rows[0]!.may;
  if (may) return;
  const where = schema === null ? 'there is no schema to make it in' : `our user may not make it in schema ${schema}`;
  throw new SinkError('sink-database-refused', `Table ${table} is missing, and ${where}.`, {
    remedy: 'Make it by hand, as docs/sinks/postgres.md shows, or grant the user CREATE on the schema.',
  });
}

/** Two processes that make a table at once meet in the catalogue, and one of them has made it. */
function unlessRaced(error: unknown): void {
  if (!['23505', '42P07', '42710'].includes((error as { code?: string }).code ?? '')) throw error;
}

async function differencesOf(client: ClientBase, options: TableOptions): Promise<string[]> {
  const types = ownTypes(options);
  const wanted = [
    ...OWN_COLUMNS.map((name) => [name, types[name]] as const),
    ...Object.entries(options.columns).map(([name, { type }]) => [name, type] as const),
  ];
  const parameters = [quotedTable(options.table), wanted.map(([name]) => name), wanted.map(([, type]) => type)];
  const { rows } = await client.query<Compared>(COMPARISON, parameters);
  return rows.flatMap((column) => differenceOf(column, options));
}

function differenceOf({ name, wanted, found, same, required, generated }: Compared, options: TableOptions): string[] {
  if (wanted === null) return required ? [`column ${name} must have a value, and the sink has none for it`] : [];
  const column = options.columns[name];
  if (found === null) {
    const fix = column && ` (ALTER TABLE ${quotedTable(options.table)} ADD COLUMN ${generation(name, column)})`;
    return [`column ${name} is missing, ${wanted} expected${fix ?? ''}`];
  }
  if (!same) return [`column ${name} is ${found}, ${wanted} expected`];
  if (column && !generated) return [`column ${name} is an ordinary one, a generated one expected`];
  return !column && generated ? [`column ${name} is a generated one, an ordinary one expected`] : [];
}

function ownTypes({ recordType }: TableOptions): Record<(typeof OWN_COLUMNS)[number], string> {
  return { id: 'text', record: recordType, version: 'bigint', source: 'text', updated_at: 'timestamptz' };
}

function generation(name: string, { type, as }: GeneratedColumn): string {
  return `${quoted(name)} ${type} GENERATED ALWAYS AS (${as}) STORED`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
