import * as api from './api.js';
import {h, replace} from './dom.js';
import {t} from './i18n.js';

// Asks for a token until the server takes one; `done` gets the session.
export function signIn(main, done) {
  const token = h('input', {id: 'token', type: 'password', autocomplete: 'current-password', required: true, maxlength: 1000});
  const fault = h('p.fault', {role: 'alert'});
  const send = async event => {
    event.preventDefault();
    fault.textContent = '';
    try {
      done(await api.login(token.value));
    } catch (error) {
      fault.textContent = error.status === 401 ? t('wrong_token') : error.message || t('unreachable');
      token.select();
    }
  };
  replace(main, h('form.sign-in', {onsubmit: send},
    h('h1', null, t('sign_in')), h('p.muted', null, t('sign_in_about')),
    h('label', {for: 'token'}, t('token')), token, h('button', null, t('sign_in')), fault));
  token.focus();
}
