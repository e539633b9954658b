import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** What one writes with Kafka's own client: JavaClient PORT NAME=VALUE... TOPIC. A keyed send a line. */
public class JavaClient {
  public static void main(String[] words) throws Exception {
    Properties properties = new Properties();
    for (int i = 1; i < words.length - 1; ++i) {
      int equals = words[i].indexOf('=');
      properties.put(words[i].substring(0, equals), words[i].substring(equals + 1));
    }
    String serializer = "org.apache.kafka.common.serialization.ByteArraySerializer";
    properties.put("key.serializer", serializer);
    properties.put("value.serializer", serializer);
    String topic = words[words.length - 1];
    AtomicLong failed = new AtomicLong();
    try (Socket socket = new Socket("127.0.0.1", Integer.parseInt(words[0]));
         BufferedReader lines =
             new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1), 1 << 20);
         KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        byte[] value = line.getBytes(StandardCharsets.ISO_8859_1);
        byte[] key = new byte[] {value[0], value[1], value[2], value[3]};
        producer.send(new ProducerRecord<>(topic, key, value), (record, problem) -> {
          if (problem != null) failed.incrementAndGet();
        });
      }
    }
    System.exit(failed.get() == 0 ? 0 : 1);
  }
}
