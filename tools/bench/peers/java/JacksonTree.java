import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;

/** Each record becomes a tree and is written again: white space and the spelling of numbers are not what they were. */
final class JacksonTree {
  public static void main(String[] args) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    try (Publishing publishing = new Publishing(args);
        MappingIterator<JsonNode> records = mapper.readerFor(JsonNode.class).readValues(publishing.json)) {
      while (records.hasNextValue()) {
        JsonNode record = records.nextValue();
        byte[] key = record.get("conversationId").asText().getBytes(StandardCharsets.UTF_8);
        publishing.send(key, mapper.writeValueAsBytes(record));
      }
    }
  }
}
