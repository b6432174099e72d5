import type { ChildProcess } from 'node:child_process';

/** What the producer needs to reach a Genesys stand-in. */
export type SimulatorEnv = Readonly<
  Record<
    'GENESYS_API_URL' | 'GENESYS_LOGIN_URL' | 'GENESYS_FILE_HOSTS' | 'GENESYS_CLIENT_ID' | 'GENESYS_CLIENT_SECRET',
    string
  >
>;

type Addresses = Readonly<Record<'apiUrl' | 'loginUrl' | 'filesHost' | 'clientId' | 'clientSecret', string>>;

/** Waits until `simulator serve --json` has told its addresses on the stdout of its process. */
export async function simulatorEnv(simulator: ChildProcess): Promise<SimulatorEnv> {
  let told = '';
  for await (const chunk of simulator.stdout!) {
    told += String(chunk);
    if (told.includes('\n')) break;
  }
  if (!told.includes('\n')) throw new Error('The simulator ended before it listened.');
  const { apiUrl, loginUrl, filesHost, clientId, clientSecret } = JSON.parse(told) as Addresses;
  return {
    GENESYS_API_URL: apiUrl,
    GENESYS_LOGIN_URL: loginUrl,
    GENESYS_FILE_HOSTS: filesHost,
    GENESYS_CLIENT_ID: clientId,
    GENESYS_CLIENT_SECRET: clientSecret,
  };
}
