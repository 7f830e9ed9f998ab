import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.KeyAgreeRecipientId;
import org.bouncycastle.cms.Recipient;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientInformationStore;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientId;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyTransAuthEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientId;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;

/**
 * Opens and seals with Bouncy Castle, for tests/peers.rs.
 *
 * Judge open (KEY(PKCS#8, DER) CERTIFICATE FILE)...    writes FILE.opened, or FILE.error with what went wrong
 * Judge seal cbc|gcm CERTIFICATE MESSAGE OUT
 */
public class Judge {
    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        if (args[0].equals("open")) {
            for (int at = 1; at < args.length; at += 3) {
                open(args[at], args[at + 1], args[at + 2]);
            }
        } else {
            byte[] message = Files.readAllBytes(Paths.get(args[3]));
            byte[] sealed = args[1].equals("gcm") ? gcm(certificate(args[2]), message) : cbc(certificate(args[2]), message);
            Files.write(Paths.get(args[4]), sealed);
        }
    }

    static X509Certificate certificate(String name) throws Exception {
        byte[] pem = Files.readAllBytes(Paths.get(name));
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        return (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(pem));
    }

    static PrivateKey key(String name, String algorithm) throws Exception {
        byte[] pkcs8 = Files.readAllBytes(Paths.get(name));
        return KeyFactory.getInstance(algorithm, "BC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    }

    static void open(String keyName, String certificateName, String name) throws Exception {
        Path opened = Paths.get(name + ".opened");
        try {
            X509Certificate certificate = certificate(certificateName);
            PrivateKey key = key(keyName, certificate.getPublicKey().getAlgorithm());
            Files.write(opened, content(key, certificate, Files.readAllBytes(Paths.get(name))));
        } catch (Exception error) {
            Files.write(Paths.get(name + ".error"), error.toString().getBytes("UTF-8"));
        }
    }

    static byte[] content(PrivateKey key, X509Certificate certificate, byte[] sealed) throws Exception {
        boolean authenticated =
            ContentInfo.getInstance(sealed).getContentType().equals(CMSObjectIdentifiers.authEnvelopedData);
        RecipientInformationStore recipients = authenticated
            ? new CMSAuthEnvelopedData(sealed).getRecipientInfos()
            : new CMSEnvelopedData(sealed).getRecipientInfos();
        boolean agreement = !key.getAlgorithm().equals("RSA");
        RecipientInformation mine = recipients.get(agreement
            ? new JceKeyAgreeRecipientId(certificate)
            : new JceKeyTransRecipientId(certificate));
        if (mine == null && agreement) {
            mine = recipients.get(new KeyAgreeRecipientId(keyIdentifier(certificate)));
        }
        if (mine == null) {
            throw new IllegalArgumentException("not a recipient");
        }
        return mine.getContent(agreement ? agreeing(key, authenticated) : transported(key, authenticated));
    }

    static byte[] keyIdentifier(X509Certificate certificate) throws Exception {
        byte[] extension = certificate.getExtensionValue("2.5.29.14");
        return SubjectKeyIdentifier.getInstance(JcaX509ExtensionUtils.parseExtensionValue(extension)).getKeyIdentifier();
    }

    static Recipient agreeing(PrivateKey key, boolean authenticated) {
        if (authenticated) {
            throw new UnsupportedOperationException("1.72 has no class that opens AuthEnvelopedData by key agreement");
        }
        return new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC");
    }

    static Recipient transported(PrivateKey key, boolean authenticated) {
        return authenticated
            ? new JceKeyTransAuthEnvelopedRecipient(key).setProvider("BC")
            : new JceKeyTransEnvelopedRecipient(key).setProvider("BC");
    }

    /** Ephemeral-static ECDH with SHA-256 and AES-256 wrap. */
    static RecipientInfoGenerator agreement(X509Certificate certificate) throws Exception {
        KeyPairGenerator ephemeral = KeyPairGenerator.getInstance("EC", "BC");
        ephemeral.initialize(((ECPublicKey) certificate.getPublicKey()).getParams());
        KeyPair pair = ephemeral.generateKeyPair();
        return new JceKeyAgreeRecipientInfoGenerator(
            CMSAlgorithm.ECDH_SHA256KDF, pair.getPrivate(), pair.getPublic(), CMSAlgorithm.AES256_WRAP)
            .addRecipient(certificate).setProvider("BC");
    }

    static boolean isRsa(X509Certificate certificate) {
        return certificate.getPublicKey().getAlgorithm().equals("RSA");
    }

    static byte[] cbc(X509Certificate certificate, byte[] message) throws Exception {
        CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
        generator.addRecipientInfoGenerator(isRsa(certificate)
            ? new JceKeyTransRecipientInfoGenerator(certificate).setProvider("BC")
            : agreement(certificate));
        return generator.generate(
            new CMSProcessableByteArray(message),
            new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_CBC).setProvider("BC").build()).getEncoded();
    }

    static byte[] gcm(X509Certificate certificate, byte[] message) throws Exception {
        OAEPParameterSpec oaep =
            new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);
        AlgorithmIdentifier transport = new JcaAlgorithmParametersConverter()
            .getAlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP, oaep);
        CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
        generator.addRecipientInfoGenerator(isRsa(certificate)
            ? new JceKeyTransRecipientInfoGenerator(certificate, transport).setProvider("BC")
            : agreement(certificate));
        return generator.generate(
            new CMSProcessableByteArray(message),
            (OutputAEADEncryptor) new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_GCM).setProvider("BC").build())
            .getEncoded();
    }
}
