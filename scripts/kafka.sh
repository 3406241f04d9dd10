#!/bin/sh
# A real Kafka broker for the tests, as plain jars in a cache folder outside the tree: fetched once by Maven, run by Java.
# Java and Maven are installed where they are missing and the user may; otherwise said, and with CI=true a failure.
set -u
version=4.3.1
folder="${TALLYSTICK_KAFKA_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/kafka-$version}"
[ -f "$folder/.complete" ] && command -v java >/dev/null 2>&1 && exit 0

give_up() {
  echo "$1"
  echo "No Kafka: the tests that need a broker are left out. They want Java 17 and Maven; on Debian or Ubuntu: sudo apt-get install openjdk-17-jre-headless maven"
  [ "${CI:-}" = true ] && exit 1
  exit 0
}

packages=""
command -v java >/dev/null 2>&1 || packages="openjdk-17-jre-headless"
[ -f "$folder/.complete" ] || command -v mvn >/dev/null 2>&1 || packages="$packages maven"
if [ -n "$packages" ]; then
  command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] || give_up "Missing:$packages"
  echo "Installing $packages for the Kafka tests …"
  log=$(mktemp)
  # shellcheck disable=SC2086 # words on purpose
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } >"$log" 2>&1; then
    tail -n 5 "$log"
    rm -f "$log"
    give_up "apt-get could not install:$packages"
  fi
  rm -f "$log"
fi
[ -f "$folder/.complete" ] && exit 0

echo "Fetching Kafka $version into $folder …"
mkdir -p "$folder" || give_up "$folder cannot be made."
cat >"$folder/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tallystick</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
# -U: Maven remembers for a day that something was not to be had.
(cd "$folder" && mvn -B -q -U org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory=libs) || give_up "Maven could not fetch Kafka $version."
# A key and a certificate for the listener that wants TLS; they guard nothing.
rm -f "$folder/broker.p12"
keytool -genkeypair -alias broker -keyalg EC -groupname secp256r1 -validity 3650 -dname CN=localhost \
  -ext SAN=dns:localhost,ip:127.0.0.1 -storetype PKCS12 -keystore "$folder/broker.p12" -storepass tallystick >/dev/null 2>&1 &&
  keytool -exportcert -rfc -alias broker -keystore "$folder/broker.p12" -storepass tallystick >"$folder/broker.pem" 2>/dev/null ||
  give_up "keytool could not make a certificate."
touch "$folder/.complete"
