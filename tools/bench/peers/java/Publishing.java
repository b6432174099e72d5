import java.io.InputStream;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.ZipFile;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What the Java peers share: the archive's one entry as a stream, and an idempotent producer with good settings. */
final class Publishing implements AutoCloseable {
  final InputStream json;
  private final ZipFile zip;
  private final String topic;
  private final KafkaProducer<byte[], byte[]> producer;
  private final AtomicReference<Exception> failure = new AtomicReference<>();

  /** Arguments: archive, topic. The brokers stand in KAFKA_BROKERS. */
  Publishing(String[] args) throws Exception {
    zip = new ZipFile(args[0]);
    json = zip.getInputStream(zip.entries().nextElement());
    topic = args[1];
    Properties settings = new Properties();
    settings.put("bootstrap.servers", System.getenv("KAFKA_BROKERS"));
    settings.put("acks", "all");
    settings.put("enable.idempotence", "true");
    settings.put("compression.type", "zstd");
    settings.put("linger.ms", "50");
    settings.put("batch.size", String.valueOf(1024 * 1024));
    settings.put("buffer.memory", String.valueOf(64 * 1024 * 1024));
    settings.put("max.request.size", String.valueOf(4 * 1024 * 1024));
    producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  void send(byte[] key, byte[] value) throws Exception {
    producer.send(new ProducerRecord<>(topic, key, value), (sent, error) -> failure.compareAndSet(null, error));
    if (failure.get() != null) throw failure.get();
  }

  /** Waits for every record's acknowledgement. */
  @Override
  public void close() throws Exception {
    producer.close();
    zip.close();
    if (failure.get() != null) throw failure.get();
  }
}
