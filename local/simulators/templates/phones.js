// The page is fetched again and only put in place when it differs, so that no button moves under a finger.
let shown=document.querySelector('main').innerHTML;
setInterval(async()=>{try{const answer=await fetch('/',{cache:'no-store'});
const next=new DOMParser().parseFromString(await answer.text(),'text/html').querySelector('main').innerHTML;
if(next!==shown){shown=next;document.querySelector('main').innerHTML=next}
document.querySelector('#link').textContent=''}
catch{document.querySelector('#link').textContent='The simulators do not answer.'}},1500);
