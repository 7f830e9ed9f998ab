import java.io.FileInputStream;
import java.security.Security;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;

/** Server AUTHORITY CERTIFICATE LIST: says whether Bouncy Castle finds the certificate valid. Server REQUEST(DER). */
public class Server {
    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        if (args.length == 1) {
            byte[] der = java.nio.file.Files.readAllBytes(java.nio.file.Paths.get(args[0]));
            PKCS10CertificationRequest request = new PKCS10CertificationRequest(der);
            var verifier = new JcaContentVerifierProviderBuilder().setProvider("BC").build(request.getSubjectPublicKeyInfo());
            System.out.println(request.isSignatureValid(verifier));
            return;
        }
        CertificateFactory factory = CertificateFactory.getInstance("X.509", "BC");
        X509Certificate authority = (X509Certificate) factory.generateCertificate(new FileInputStream(args[0]));
        X509Certificate certificate = (X509Certificate) factory.generateCertificate(new FileInputStream(args[1]));
        X509CRL list = (X509CRL) factory.generateCRL(new FileInputStream(args[2]));
        list.verify(authority.getPublicKey(), "BC");
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(authority, null)));
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(List.of(list)), "BC"));
        try {
            CertPathValidator validator = CertPathValidator.getInstance("PKIX", "BC");
            validator.validate(factory.generateCertPath(List.of(certificate)), parameters);
            System.out.println("valid");
        } catch (CertPathValidatorException invalid) {
            System.out.println(invalid.getMessage());
        }
    }
}
