package portrait.bench;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.charset.StandardCharsets;
import net.openhft.hashing.LongHashFunction;
import net.openhft.hashing.LongTupleHashFunction;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import portrait.v1.EventOuterClass.Event;
import portrait.v1.Result.Cause;
import portrait.v1.Result.FeatureValue;
import portrait.v1.Result.Origin;
import portrait.v1.Result.Reason;
import portrait.v1.Result.ResultInfo;
import portrait.v1.Result.TagChange;

/** The lean work, step for step as bench/lean/lean.cc has it, with the same results down to their ids. */
final class LeanProcessor implements Processor<Bytes, byte[], Bytes, byte[]> {
  static final String STORE = "lean";

  private final LeanState state = new LeanState();
  private final LongHashFunction categoryHash = LongHashFunction.xx3();
  private final LongTupleHashFunction idHash = LongTupleHashFunction.xx128();
  private final long[] id = new long[2];
  private final StringBuilder text = new StringBuilder(128);
  private final Header contentType =
      new RecordHeader("content-type", "application/x-protobuf".getBytes(StandardCharsets.US_ASCII));
  private ProcessorContext<Bytes, byte[]> context;
  private KeyValueStore<Bytes, byte[]> store;

  @Override
  public void init(ProcessorContext<Bytes, byte[]> processorContext) {
    context = processorContext;
    store = processorContext.getStateStore(STORE);
  }

  @Override
  public void process(Record<Bytes, byte[]> record) {
    final Event event;
    try {
      event = Event.parseFrom(record.value());
    } catch (InvalidProtocolBufferException error) {
      throw new IllegalArgumentException(error);
    }
    final Bytes key = record.key();
    final long timeUs = event.getEventTimeUs();
    state.read(store.get(key));
    if (state.firstUs == 0) state.firstUs = timeUs;
    String feature = null;
    long value = 0;
    switch (event.getBodyCase()) {
      case PAGE_VIEWED:
        ++state.views;
        state.addInterest((int) categoryHash.hashBytes(event.getPageViewed().getCategoryBytes().asReadOnlyByteBuffer()), timeUs);
        if (state.views % 20 == 0) {
          feature = "lean.views";
          value = state.views;
        }
        break;
      case EMAIL_OPENED:
        ++state.opens;
        break;
      case EMAIL_LINK_CLICKED:
        ++state.clicks;
        break;
      case ORDER_COMPLETED:
        ++state.orders;
        state.spendMicros += event.getOrderCompleted().getTotalMicros();
        feature = "lean.spend";
        value = state.spendMicros;
        break;
      default:
        break;
    }
    state.lastUs = Math.max(state.lastUs, timeUs);
    store.put(key, state.write());
    if (feature != null) emit(record, event, feature, value);
  }

  private void emit(Record<Bytes, byte[]> record, Event event, String feature, long value) {
    final RecordMetadata at = context.recordMetadata().orElseThrow();
    final String kind = event.getBodyCase() == Event.BodyCase.PAGE_VIEWED ? "page_viewed" : "order_completed";
    final TagChange result =
        TagChange.newBuilder()
            .setInfo(
                ResultInfo.newBuilder()
                    .setId(idOf(event))
                    .setCustomerId(event.getCustomerId())
                    .setOperator("lean")
                    .setVersion("kafka-streams")
                    .setEventTimeUs(state.lastUs)
                    .setEmissionTimeUs(System.currentTimeMillis() * 1000)
                    .setOrigin(Origin.LIVE)
                    .setCause(
                        Cause.newBuilder()
                            .setEventId(event.getEventId())
                            .setEventKind(kind)
                            .setTopic(at.topic())
                            .setPartition(at.partition())
                            .setOffset(at.offset()))
                    .addReasons(
                        Reason.newBuilder().setFeature(feature).setValue(FeatureValue.newBuilder().setInteger(value))))
            .setTag("lean")
            .setAfter(true)
            .build();
    final RecordHeaders headers = new RecordHeaders();
    headers.add(contentType);
    context.forward(new Record<>(record.key(), result.toByteArray(), record.timestamp(), headers));
  }

  /** As operators/context.cc makes it: XXH3 over the parts of the cause, each behind its length. */
  private String idOf(Event event) {
    text.setLength(0);
    part(event.getCustomerId());
    part("lean");
    part("TagChange");
    part("event");
    part(event.getEventId());
    part("0");
    idHash.hashBytes(text.toString().getBytes(StandardCharsets.UTF_8), id);
    return hex(id[1]) + hex(id[0]);
  }

  private void part(String part) {
    text.append(part.length()).append(':').append(part);
  }

  private static String hex(long value) {
    final char[] out = new char[16];
    for (int i = 15; i >= 0; --i) {
      out[i] = "0123456789abcdef".charAt((int) (value & 15));
      value >>>= 4;
    }
    return new String(out);
  }
}
