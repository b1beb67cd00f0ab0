package fetch

import "errors"

var errNoProxies = errors.New("proxies are not supported yet, and this URL has one")

// checkProxy refuses what would have to go through a proxy.
func (l *loop) checkProxy(target string) error {
	if l.options.Proxy == nil {
		return nil
	}
	u, err := readURL(target)
	if err != nil {
		return err
	}
	proxy, err := l.options.Proxy(u)
	if err == nil && proxy != nil {
		err = errNoProxies
	}
	return err
}
