import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type AclEntry } from 'kafkajs';
import { securedUser } from './broker.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

export type Resource = 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID';
export type Operation = 'READ' | 'WRITE' | 'CREATE';

/** What the user of a secured broker may do, set by somebody who may do everything. */
export class Rights implements AsyncDisposable {
  readonly #admin: kafkajs.Admin;

  private constructor(admin: kafkajs.Admin) {
    this.#admin = admin;
  }

  static async at(brokers: readonly string[]): Promise<Rights> {
    const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    return new Rights(admin);
  }

  /** All that carries a topic prefix. */
  async grantAll(prefix: string): Promise<void> {
    const acl = (['TOPIC', 'GROUP', 'TRANSACTIONAL_ID'] as const).map((resource) => ({
      ...entry(resource, prefix),
      resourcePatternType: ResourcePatternTypes.PREFIXED,
    }));
    await this.#admin.createAcls({ acl });
    for (const one of acl) await this.#untilKnown(one, true);
  }

  /** Takes one right away, until the answer is called. */
  async takeAway(resource: Resource, name: string, operation: Operation): Promise<() => Promise<void>> {
    const denial: AclEntry = {
      ...entry(resource, name),
      operation: AclOperationTypes[operation],
      permissionType: AclPermissionTypes.DENY,
    };
    await this.#admin.createAcls({ acl: [denial] });
    await this.#untilKnown(denial, true);
    return async () => {
      await this.#admin.deleteAcls({ filters: [denial] });
      await this.#untilKnown(denial, false);
    };
  }

  /** The controller answers, and the broker learns of it at its own time. */
  async #untilKnown(one: AclEntry, isThere: boolean): Promise<void> {
    while ((await this.#admin.describeAcls(one)).resources.length > 0 !== isThere) await delay(20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.disconnect();
  }
}

function entry(resource: Resource, resourceName: string): AclEntry {
  return {
    resourceType: AclResourceTypes[resource],
    resourceName,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${securedUser.username}`,
    host: '*',
    operation: AclOperationTypes.ALL,
    permissionType: AclPermissionTypes.ALLOW,
  };
}
