package portrait.bench;

import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The lean work as a Kafka Streams application. Runs until SIGTERM.
 *
 * <pre>java … portrait.bench.KafkaStreamsLean KEY=VALUE…</pre>
 *
 * Keys: brokers, application, sources (comma-separated), output, state_dir, commit_interval_ms, cache_bytes,
 * guarantee.
 */
public final class KafkaStreamsLean {
  private static Properties properties(Map<String, String> given) {
    final Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, given.get("application"));
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("brokers"));
    properties.put(StreamsConfig.STATE_DIR_CONFIG, given.get("state_dir"));
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, given.get("guarantee"));
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, given.get("commit_interval_ms"));
    properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, given.get("cache_bytes"));
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.BytesSerde.class);
    properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
    properties.put(StreamsConfig.METRICS_RECORDING_LEVEL_CONFIG, "INFO");
    properties.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
    // As much per poll and per batch as the other contenders.
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.FETCH_MAX_BYTES_CONFIG), 64 << 20);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 10);
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 1_000_000);
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 64 << 20);
    return properties;
  }

  private static Topology topology(Map<String, String> given) {
    final StoreBuilder<?> store =
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(LeanProcessor.STORE), Serdes.Bytes(), Serdes.ByteArray())
            .withCachingEnabled();
    return new Topology()
        .addSource("events", given.get("sources").split(","))
        .addProcessor("lean", LeanProcessor::new, "events")
        .addStateStore(store, "lean")
        .addSink("results", given.get("output"), "lean");
  }

  public static void main(String[] arguments) throws InterruptedException {
    final Map<String, String> given = new java.util.HashMap<>();
    for (String argument : arguments) {
      final int equals = argument.indexOf('=');
      given.put(argument.substring(0, equals), argument.substring(equals + 1));
    }
    final KafkaStreams streams = new KafkaStreams(topology(given), properties(given));
    final CountDownLatch stopped = new CountDownLatch(1);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          System.exit(1);
          return null;
        });
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  streams.close(Duration.ofSeconds(60));
                  stopped.countDown();
                }));
    streams.start();
    stopped.await();
  }
}
