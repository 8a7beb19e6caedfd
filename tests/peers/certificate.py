"""Self-signed certificates for the peers, and their pins as the registry writes them."""
import base64
import hashlib
import subprocess


def make_certificate(folder, address):
    """Writes cert.pem and key.pem for an IP address into the folder; returns the pin."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "30", "-subj", "/CN=bmc",
                    "-addext", f"subjectAltName=IP:{address}"], check=True, capture_output=True)
    key = subprocess.run(["openssl", "x509", "-in", folder / "cert.pem", "-pubkey", "-noout"], check=True,
                         capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True,
                         capture_output=True).stdout
    return "spki-sha256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()
