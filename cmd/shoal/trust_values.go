package main

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// versionValue is a version of TLS, or 0.
type versionValue uint16

// Set implements pflag.Value.
func (v *versionValue) Set(text string) error {
	switch text {
	case "1.2":
		*v = tls.VersionTLS12
	case "1.3":
		*v = tls.VersionTLS13
	case "1.0", "1.1":
		return fmt.Errorf("TLS %s is not spoken any more (RFC 8996); there are 1.2 and 1.3", text)
	default:
		return fmt.Errorf("a version of TLS is 1.2 or 1.3")
	}
	return nil
}

// String implements pflag.Value.
func (v *versionValue) String() string {
	switch *v {
	case tls.VersionTLS12:
		return "1.2"
	case tls.VersionTLS13:
		return "1.3"
	}
	return ""
}

// Type implements pflag.Value.
func (*versionValue) Type() string { return "VERSION" }

// curvesValue is key exchanges, in no order.
type curvesValue []tls.CurveID

// curveNames are the key exchanges there are, as they are best known, and by
// the other names that OpenSSL, and so curl, and Go have for them.
var curveNames = []struct {
	curve tls.CurveID
	names []string
}{
	{tls.X25519MLKEM768, []string{"X25519MLKEM768"}},
	{tls.SecP256r1MLKEM768, []string{"SecP256r1MLKEM768"}},
	{tls.SecP384r1MLKEM1024, []string{"SecP384r1MLKEM1024"}},
	{tls.X25519, []string{"X25519"}},
	{tls.CurveP256, []string{"P-256", "prime256v1", "secp256r1", "CurveP256"}},
	{tls.CurveP384, []string{"P-384", "secp384r1", "CurveP384"}},
	{tls.CurveP521, []string{"P-521", "secp521r1", "CurveP521"}},
}

// Set implements pflag.Value.
func (v *curvesValue) Set(text string) error {
	var curves curvesValue
	for name := range strings.SplitSeq(text, ":") {
		curve, known := curveOf(name)
		if !known {
			return fmt.Errorf("%q is none of the key exchanges, which are %s", name, allCurves())
		}
		if !slices.Contains(curves, curve) {
			curves = append(curves, curve)
		}
	}
	*v = curves
	return nil
}

func curveOf(name string) (curve tls.CurveID, known bool) {
	for _, c := range curveNames {
		for _, n := range c.names {
			if strings.EqualFold(n, name) {
				return c.curve, true
			}
		}
	}
	return 0, false
}

// allCurves is one name of each.
func allCurves() string {
	var names []string
	for _, c := range curveNames {
		names = append(names, c.names[0])
	}
	return strings.Join(names, ", ")
}

// String implements pflag.Value.
func (v *curvesValue) String() string { return "" }

// Type implements pflag.Value.
func (*curvesValue) Type() string { return "LIST" }
