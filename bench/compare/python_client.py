"""What one writes in Python: python_client.py PORT BOOTSTRAP TOPIC PROPERTIES. A keyed produce call a line."""
import json
import socket
import sys

from confluent_kafka import Producer

port, servers, topic, properties = sys.argv[1:]
producer = Producer({"bootstrap.servers": servers, **json.loads(properties)})
problems = []
with socket.create_connection(("127.0.0.1", int(port))) as connection, connection.makefile("rb", 1 << 20) as stream:
    for line in stream:
        while True:
            try:
                producer.produce(topic, line[:-1], line[:4])
                break
            except BufferError:
                producer.poll(0.01)
        producer.poll(0)
sys.exit(1 if producer.flush(120) else 0)
