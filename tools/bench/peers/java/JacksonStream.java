import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Records and keys by Jackson's tokens; what is published are the record's own bytes, cut out by the tokens' offsets. */
final class JacksonStream {
  public static void main(String[] args) throws Exception {
    try (Publishing publishing = new Publishing(args)) {
      Kept bytes = new Kept(publishing.json);
      try (JsonParser parser = new JsonFactory().createParser(bytes)) {
        if (parser.nextToken() != JsonToken.START_ARRAY) throw new IOException("no array");
        while (parser.nextToken() == JsonToken.START_OBJECT) {
          long start = parser.currentTokenLocation().getByteOffset();
          String key = null;
          for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            parser.nextToken();
            if (name.equals("conversationId")) key = parser.getText();
            else parser.skipChildren();
          }
          byte[] value = bytes.take(start, parser.currentLocation().getByteOffset());
          publishing.send(key.getBytes(StandardCharsets.UTF_8), value);
        }
      }
    }
  }

  /** Keeps what the parser has read ahead of the last record. */
  private static final class Kept extends FilterInputStream {
    private byte[] kept = new byte[64 * 1024];
    private int length = 0;
    private long offset = 0;

    Kept(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] into, int at, int most) throws IOException {
      int read = super.read(into, at, most);
      if (read <= 0) return read;
      if (length + read > kept.length) kept = Arrays.copyOf(kept, Math.max(kept.length * 2, length + read));
      System.arraycopy(into, at, kept, length, read);
      length += read;
      return read;
    }

    /** The bytes from `from` to before `to`; what lies before `to` is let go. */
    byte[] take(long from, long to) {
      byte[] taken = Arrays.copyOfRange(kept, (int) (from - offset), (int) (to - offset));
      length -= (int) (to - offset);
      System.arraycopy(kept, (int) (to - offset), kept, 0, length);
      offset = to;
      return taken;
    }
  }
}
