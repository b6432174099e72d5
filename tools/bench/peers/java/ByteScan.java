import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The least that can be done: records are cut out by counting brackets, keys by searching bytes. Nothing is validated. */
final class ByteScan {
  private static final byte[] NAME = "\"conversationId\"".getBytes(StandardCharsets.US_ASCII);

  public static void main(String[] args) throws Exception {
    try (Publishing publishing = new Publishing(args)) {
      byte[] buffer = new byte[1024 * 1024];
      int filled = 0;
      int at = 0;
      int start = -1;
      int depth = 0;
      boolean inString = false;
      for (;;) {
        for (; at < filled; at++) {
          byte b = buffer[at];
          if (inString) {
            // What an escape stands for may lie in the next piece: it is passed over as part of the position.
            if (b == '\\') at++;
            else if (b == '"') inString = false;
          } else if (b == '"') inString = true;
          else if (b == '{' || b == '[') {
            if (++depth == 2) start = at;
          } else if (b == '}' || b == ']') {
            if (--depth == 1) {
              publishing.send(keyOf(buffer, start, at), Arrays.copyOfRange(buffer, start, at + 1));
              start = -1;
            }
          }
        }
        int kept = start < 0 ? Math.min(at, filled) : start;
        if (kept == 0 && filled == buffer.length) buffer = Arrays.copyOf(buffer, buffer.length * 2);
        System.arraycopy(buffer, kept, buffer, 0, filled - kept);
        filled -= kept;
        at -= kept;
        if (start >= 0) start = 0;
        int read = publishing.json.read(buffer, filled, buffer.length - filled);
        if (read < 0) break;
        filled += read;
      }
      if (depth != 0) throw new IllegalStateException("the JSON ends in the middle of a record");
    }
  }

  private static byte[] keyOf(byte[] bytes, int from, int to) {
    int name = indexOf(bytes, NAME, from, to);
    int first = name + NAME.length;
    while (bytes[first] != '"') first++;
    int last = first + 1;
    while (bytes[last] != '"') last++;
    return Arrays.copyOfRange(bytes, first + 1, last);
  }

  private static int indexOf(byte[] bytes, byte[] wanted, int from, int to) {
    for (int at = from; at <= to - wanted.length; at++) {
      int length = 0;
      while (length < wanted.length && bytes[at + length] == wanted[length]) length++;
      if (length == wanted.length) return at;
    }
    throw new IllegalStateException("a record without a conversationId");
  }
}
