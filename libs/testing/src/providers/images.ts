/** The images of this process' environment, or Confluent's. */
export function stackImages(environment: NodeJS.ProcessEnv = process.env): { kafka: string; registry: string } {
  return {
    kafka: environment.GENESYS_KAFKA_KAFKA_IMAGE ?? 'confluentinc/cp-kafka:8.1.0',
    registry: environment.GENESYS_KAFKA_REGISTRY_IMAGE ?? 'confluentinc/cp-schema-registry:8.1.0',
  };
}
