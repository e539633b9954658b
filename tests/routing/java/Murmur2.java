// What Apache Kafka's Java client makes of keys. Reads lines of hexadecimal bytes, a space and a partition count;
// writes for each its murmur2 (hexadecimal) and its partition (decimal).
//
//     java -cp kafka-clients-4.1.0.jar Murmur2.java < keys
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.HexFormat;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;

public class Murmur2 {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    PrintStream out = new PrintStream(new java.io.BufferedOutputStream(System.out));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      int space = line.indexOf(' ');
      byte[] key = HexFormat.of().parseHex(line.substring(0, space));
      int partitions = Integer.parseInt(line.substring(space + 1));
      out.printf("%08x %d%n", Utils.murmur2(key), BuiltInPartitioner.partitionForKey(key, partitions));
    }
    out.flush();
  }
}
