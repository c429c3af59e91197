package portrait.bench;

import java.nio.ByteBuffer;

/**
 * What the lean work keeps about a customer: the same as bench/lean/lean_state.proto. One object is used for all
 * customers, one after the other: read from the store's bytes, changed, and written to new bytes.
 */
final class LeanState {
  private static final int CATEGORIES = 8;
  private static final int FIXED_BYTES = 8 + 8 + 4 * 4 + 8 + 1;
  private static final double HALF_LIFE_US = 30.0 * 86_400e6;

  long firstUs;
  long lastUs;
  int views;
  int opens;
  int clicks;
  int orders;
  long spendMicros;
  int categories;
  final int[] category = new int[CATEGORIES];
  final float[] interest = new float[CATEGORIES];

  /** Null: a new customer. */
  void read(byte[] bytes) {
    if (bytes == null) {
      firstUs = lastUs = spendMicros = 0;
      views = opens = clicks = orders = categories = 0;
      return;
    }
    final ByteBuffer in = ByteBuffer.wrap(bytes);
    firstUs = in.getLong();
    lastUs = in.getLong();
    views = in.getInt();
    opens = in.getInt();
    clicks = in.getInt();
    orders = in.getInt();
    spendMicros = in.getLong();
    categories = in.get();
    for (int i = 0; i < categories; ++i) {
      category[i] = in.getInt();
      interest[i] = in.getFloat();
    }
  }

  byte[] write() {
    final ByteBuffer out = ByteBuffer.allocate(FIXED_BYTES + 8 * categories);
    out.putLong(firstUs).putLong(lastUs).putInt(views).putInt(opens).putInt(clicks).putInt(orders);
    out.putLong(spendMicros).put((byte) categories);
    for (int i = 0; i < categories; ++i) out.putInt(category[i]).putFloat(interest[i]);
    return out.array();
  }

  void addInterest(int hash, long timeUs) {
    if (timeUs > lastUs) {
      final float decay = (float) Math.pow(2, -(timeUs - lastUs) / HALF_LIFE_US);
      for (int i = 0; i < categories; ++i) interest[i] *= decay;
    }
    int place = 0;
    while (place < categories && category[place] != hash) ++place;
    if (place < categories) {
      interest[place] += 1;
      return;
    }
    if (categories < CATEGORIES) {
      place = categories++;
    } else {
      place = 0;
      for (int i = 1; i < CATEGORIES; ++i) {
        if (interest[i] < interest[place]) place = i;
      }
    }
    category[place] = hash;
    interest[place] = 1;
  }
}
